// Calendars, notes and voicemail: rows written by hand in the apps' own tables. All people and numbers are
// invented. Expected times are those that `date -u` gives for the stored numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/messengers/expect.hpp"

namespace touchstone::test {
namespace {

/// Of NoteStore.sqlite, the columns that the definition reads; entities as on an iPhone of 2023. The text of
/// note 8 is a protobuf {2: {3: {2: …}}}, packed by Python's gzip.
constexpr auto kNotes = R"(
CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
CREATE TABLE ZICCLOUDSYNCINGOBJECT ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZISPASSWORDPROTECTED INTEGER, ZMARKEDFORDELETION INTEGER, ZACCOUNT4 INTEGER, ZFOLDER INTEGER, ZNOTEDATA INTEGER, ZISPINNED INTEGER, ZFOLDERTYPE INTEGER, ZCREATIONDATE3 TIMESTAMP, ZMODIFICATIONDATE1 TIMESTAMP, ZPASSWORDHINT VARCHAR, ZSNIPPET VARCHAR, ZTITLE1 VARCHAR, ZNAME VARCHAR, ZTITLE2 VARCHAR );
CREATE TABLE ZICNOTEDATA ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZNOTE INTEGER, ZCRYPTOINITIALIZATIONVECTOR BLOB, ZCRYPTOTAG BLOB, ZDATA BLOB );
INSERT INTO Z_PRIMARYKEY VALUES(11,'ICNote',3,30),(13,'ICAccount',12,2),(14,'ICFolder',12,3);
INSERT INTO ZICCLOUDSYNCINGOBJECT(Z_PK,Z_ENT,ZTITLE2,ZFOLDERTYPE,ZNAME) VALUES
 (1,14,'Recently Deleted',1,NULL),(2,13,NULL,NULL,'iCloud'),(3,14,'Plans',0,NULL);
INSERT INTO ZICCLOUDSYNCINGOBJECT(Z_PK,Z_ENT,ZACCOUNT4,ZFOLDER,ZTITLE1,ZSNIPPET,ZCREATIONDATE3,ZMODIFICATIONDATE1,ZISPASSWORDPROTECTED,ZPASSWORDHINT,ZMARKEDFORDELETION,ZISPINNED) VALUES
 (8,11,2,3,'Shopping','rope, tape',700000000.5,700000060,0,NULL,0,1),
 (9,11,2,3,'Diary',NULL,700000100,700000160,1,'the usual',0,0),
 (10,11,2,1,'Draft','only this is left',700000200,700000260,0,NULL,0,0),
 (11,11,2,3,NULL,NULL,700000300,700000360,0,NULL,1,0);
INSERT INTO ZICNOTEDATA(Z_PK,ZNOTE,ZDATA) VALUES
 (1,8,x'1f8b08000000000002031392929210120bcec82f28c8cc4be72aca2f48d55128492c487dbf7f0f008a50700a1c000000'),
 (2,9,x'62706c6973743030ffffffff'),(3,10,NULL);
)";

TEST(AppleNotes, AreReadFromTheirPackedProtobufs) {
  const Outcome outcome =
      read_app("ios_notes", kNotes, "/private/var/mobile/Containers/Shared/AppGroup/A/NoteStore.sqlite");
  ASSERT_EQ(by_row(outcome, "note").size(), 4U);  // folders and accounts are none
  const std::vector<std::string> names = {"account", "folder", "title", "body", "created", "modified"};
  EXPECT_EQ(fields(outcome, "note", "ZICCLOUDSYNCINGOBJECT 8", names),
            (Fields{"iCloud", "Plans", "Shopping", "Shopping\nrope, tape\xef\xbf\xbc", "1678307200500000",
                    "1678307260000000"}));
  EXPECT_EQ(fields(outcome, "note", "ZICCLOUDSYNCINGOBJECT 8", {"locked", "deleted", "recovered", "status"}),
            (Fields{"0", "0", "0", "pinned"}));
}

TEST(AppleNotes, SayWhatIsLockedAndWhatWasDeleted) {
  const Outcome outcome =
      read_app("ios_notes", kNotes, "/private/var/mobile/Containers/Shared/AppGroup/A/NoteStore.sqlite");
  const std::vector<std::string> names = {"title", "body", "locked", "deleted", "status"};
  EXPECT_EQ(fields(outcome, "note", "ZICCLOUDSYNCINGOBJECT 9", names),
            (Fields{"Diary", "NULL", "1", "0", "locked, hint: the usual"}));
  EXPECT_EQ(fields(outcome, "note", "ZICCLOUDSYNCINGOBJECT 10", names),
            (Fields{"Draft", "only this is left", "0", "1", "in Recently Deleted; the snippet alone"}));
  EXPECT_EQ(fields(outcome, "note", "ZICCLOUDSYNCINGOBJECT 11", names),
            (Fields{"NULL", "NULL", "0", "1", "marked for deletion"}));
}

TEST(AppleNotes, OfOldDevicesAreHtml) {
  const Outcome ios = read_app("ios_notes", R"(
CREATE TABLE ZACCOUNT (Z_PK INTEGER PRIMARY KEY, ZNAME VARCHAR);
CREATE TABLE ZSTORE (Z_PK INTEGER PRIMARY KEY, ZACCOUNT INTEGER, ZNAME VARCHAR);
CREATE TABLE ZNOTE (Z_PK INTEGER PRIMARY KEY, ZBODY INTEGER, ZSTORE INTEGER, ZDELETEDFLAG INTEGER, ZCREATIONDATE TIMESTAMP, ZMODIFICATIONDATE TIMESTAMP, ZTITLE VARCHAR);
CREATE TABLE ZNOTEBODY (Z_PK INTEGER PRIMARY KEY, ZOWNER INTEGER, ZCONTENT VARCHAR);
INSERT INTO ZACCOUNT VALUES(1,'On My iPhone'); INSERT INTO ZSTORE VALUES(1,1,'Notes');
INSERT INTO ZNOTEBODY VALUES(5,1,'Rent<div>and &amp; deposit</div>');
INSERT INTO ZNOTE VALUES(1,5,1,0,400000000,400000060,'Rent');
)",
                               "/private/var/mobile/Library/Notes/notes.sqlite");
  EXPECT_EQ(fields(ios, "note", "ZNOTE 1", {"account", "folder", "title", "body", "created", "deleted"}),
            (Fields{"On My iPhone", "Notes", "Rent", "Rent\nand & deposit", "1378307200000000", "0"}));
  const Outcome mac =
      read_app("ios_notes", R"(
CREATE TABLE ZFOLDER ( Z_PK INTEGER PRIMARY KEY, ZNAME VARCHAR );
CREATE TABLE ZNOTE ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZBODY INTEGER, ZFOLDER INTEGER, Z6_FOLDER INTEGER, ZMIMEDATASIZE INTEGER, ZDATECREATED TIMESTAMP, ZDATEEDITED TIMESTAMP, ZREMOTEID VARCHAR, ZTITLE VARCHAR, ZCHANGEKEY VARCHAR, ZUNIVERSALLYUNIQUEID BLOB );
CREATE TABLE ZNOTEBODY ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZNOTE INTEGER, Z10_NOTE INTEGER, ZHTMLSTRING VARCHAR );
INSERT INTO ZFOLDER VALUES(2,'Notes'); INSERT INTO ZNOTE(Z_PK,ZFOLDER,ZDATECREATED,ZDATEEDITED,ZTITLE) VALUES(3,2,400000000,400000060,'Rent');
INSERT INTO ZNOTEBODY(Z_PK,ZNOTE,ZHTMLSTRING) VALUES(1,3,'<html><body>due on Monday</body></html>');
)",
               "/Users/a/Library/Containers/com.apple.Notes/Data/Library/Notes/NotesV2.storedata");
  EXPECT_EQ(fields(mac, "note", "ZNOTE 3", {"folder", "title", "body", "modified"}),
            (Fields{"Notes", "Rent", "due on Monday", "1378307260000000"}));
}

/// The tables of an iPhone with iOS 10.
constexpr auto kCalendar = R"(
CREATE TABLE Store (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, default_alarm_offset INTEGER, type INTEGER, constraint_path TEXT, disabled INTEGER, external_id TEXT, persistent_id TEXT, flags INTEGER);
CREATE TABLE Calendar (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, store_id INTEGER, title TEXT, flags INTEGER, color TEXT, color_is_display INTEGER, type TEXT, supported_entity_types INTEGER, external_id TEXT, external_mod_tag TEXT, external_id_tag TEXT, external_rep BLOB, display_order INTEGER, UUID TEXT, shared_owner_name TEXT, shared_owner_email TEXT, sharing_status INTEGER);
CREATE TABLE Recurrence (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, frequency INTEGER, interval INTEGER, week_start INTEGER, count INTEGER, cached_end_date REAL, cached_end_date_tz TEXT, end_date REAL, specifier TEXT, by_month_months INTEGER, owner_id INTEGER, external_id TEXT, external_mod_tag TEXT, external_id_tag TEXT, external_rep BLOB, UUID TEXT);
CREATE TABLE Participant (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, entity_type INTEGER, type INTEGER, status INTEGER, pending_status INTEGER, role INTEGER, identity_id INTEGER, owner_id INTEGER, external_rep BLOB, UUID TEXT, email TEXT, is_self INTEGER);
CREATE TABLE Identity (display_name TEXT, address TEXT, first_name TEXT, last_name TEXT, UNIQUE (display_name, address, first_name, last_name));
CREATE TABLE Location (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, latitude INTEGER, longitude INTEGER, address_book_id TEXT, radius INTEGER, item_owner_id INTEGER, alarm_owner_id INTEGER);
CREATE TABLE CalendarItem (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, summary TEXT, location_id INTEGER, description TEXT, start_date REAL, start_tz TEXT, end_date REAL, all_day INTEGER, calendar_id INTEGER, orig_item_id INTEGER, orig_date REAL, organizer_id INTEGER, self_attendee_id INTEGER, status INTEGER, invitation_status INTEGER, availability INTEGER, privacy_level INTEGER, url TEXT, last_modified REAL, sequence_num INTEGER, birthday_id INTEGER, hidden INTEGER, has_recurrences INTEGER, has_attendees INTEGER, UUID TEXT, entity_type INTEGER, priority INTEGER, due_date REAL, due_tz TEXT, due_all_day INTEGER, completion_date REAL, creation_date REAL);
INSERT INTO Store(ROWID,name) VALUES(1,'iCloud'); INSERT INTO Calendar(ROWID,store_id,title) VALUES(5,1,'Home');
INSERT INTO Location(ROWID,title) VALUES(9,'The flat');
INSERT INTO Identity(display_name,address) VALUES('Kim Example','mailto:kim@example.com'),('Lee Sample',NULL),('A. Person','mailto:a@example.com');
INSERT INTO Participant(ROWID,entity_type,identity_id,owner_id,email,is_self) VALUES
 (1,7,1,1,'kim@example.com',0),(2,7,2,1,NULL,0),(3,7,3,1,'a@example.com',1),(4,8,1,1,NULL,0),(5,8,3,2,'a@example.com',1);
INSERT INTO Recurrence(frequency,interval,count,end_date,specifier,owner_id) VALUES(2,1,0,715000000,'D=+1MO',2);
INSERT INTO CalendarItem(ROWID,summary,location_id,description,start_date,start_tz,end_date,all_day,calendar_id,organizer_id,status,url,creation_date,last_modified,entity_type) VALUES
 (1,'Meet Kim',9,'bring the key',700000000,'Europe/London',700003600,0,5,4,1,'https://example.com/x',699000000,699000060,2),
 (2,'Holiday',NULL,NULL,700012800,'_float',700099199,1,5,5,0,NULL,NULL,NULL,2);
INSERT INTO CalendarItem(ROWID,summary,calendar_id,due_date,completion_date,entity_type) VALUES(3,'Buy tape',5,700000500,700000600,3);
)";

TEST(AppleCalendar, GivesEntriesWithPlaceAndParticipants) {
  const Outcome outcome =
      read_app("ios_calendar", kCalendar, "/private/var/mobile/Library/Calendar/Calendar.sqlitedb");
  ASSERT_EQ(by_row(outcome, "event").size(), 3U);
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 1",
                   {"account", "calendar", "title", "starts", "ends", "all_day", "place"}),
            (Fields{"iCloud", "Home", "Meet Kim", "1678307200000000", "1678310800000000", "0", "The flat"}));
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 1", {"organiser", "participants", "notes", "created"}),
            (Fields{"kim@example.com", R"(["kim@example.com","Lee Sample"])",
                    "bring the key\nhttps://example.com/x", "1677307200000000"}));
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 1", {"status", "repeats", "deleted", "recovered"}),
            (Fields{"zone Europe/London; status 1", "NULL", "0", "0"}));
}

TEST(AppleCalendar, LeavesTheZoneOfWholeDaysToTheHost) {
  const Outcome outcome =
      read_app("ios_calendar", kCalendar, "/private/var/mobile/Library/Calendar/Calendar.sqlitedb");
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 2",
                   {"starts", "starts_local", "ends_local", "all_day", "organiser", "participants"}),
            (Fields{"NULL", "1678320000000000", "1678406399000000", "1", "NULL", "[]"}));
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 2", {"repeats"}),
            (Fields{"frequency 2, interval 1, until 2023-08-29T11:06:40Z, D=+1MO"}));
  EXPECT_EQ(fields(outcome, "event", "CalendarItem 3", {"title", "starts", "status"}),
            (Fields{"Buy tape", "1678307700000000", "reminder; completed 2023-03-08T20:36:40Z"}));
}

TEST(AppleCalendar, OfIos5IsReadFromItsEvents) {
  const Outcome outcome = read_app("ios_calendar", R"(
CREATE TABLE Calendar (ROWID INTEGER PRIMARY KEY, store_id INTEGER, title TEXT);
CREATE TABLE Event (ROWID INTEGER PRIMARY KEY, summary TEXT, location TEXT, description TEXT, start_date INTEGER, start_tz TEXT, end_date INTEGER, all_day INTEGER, calendar_id INTEGER);
INSERT INTO Calendar VALUES(1,1,'Home'); INSERT INTO Event VALUES(4,'Dentist','High Street','at ten',300000000,'Europe/London',300003600,0,1);
)",
                                   "/private/var/mobile/Library/Calendar/Calendar.sqlitedb");
  EXPECT_EQ(fields(outcome, "event", "Event 4", {"calendar", "title", "place", "notes", "starts", "ends"}),
            (Fields{"Home", "Dentist", "High Street", "at ten", "1278307200000000", "1278310800000000"}));
}

/// As the provider of Android 4 (version 305) makes them.
constexpr auto kAndroidCalendar = R"(
CREATE TABLE Events (_id INTEGER PRIMARY KEY,_sync_id TEXT,dirty INTEGER,lastSynced INTEGER DEFAULT 0,calendar_id INTEGER NOT NULL,title TEXT,eventLocation TEXT,description TEXT,eventColor INTEGER,eventStatus INTEGER,selfAttendeeStatus INTEGER NOT NULL DEFAULT 0,dtstart INTEGER,dtend INTEGER,eventTimezone TEXT,duration TEXT,allDay INTEGER NOT NULL DEFAULT 0,accessLevel INTEGER NOT NULL DEFAULT 0,availability INTEGER NOT NULL DEFAULT 0,hasAlarm INTEGER NOT NULL DEFAULT 0,hasExtendedProperties INTEGER NOT NULL DEFAULT 0,rrule TEXT,rdate TEXT,exrule TEXT,exdate TEXT,original_id INTEGER,original_sync_id TEXT,originalInstanceTime INTEGER,originalAllDay INTEGER,lastDate INTEGER,hasAttendeeData INTEGER NOT NULL DEFAULT 0,guestsCanModify INTEGER NOT NULL DEFAULT 0,guestsCanInviteOthers INTEGER NOT NULL DEFAULT 1,guestsCanSeeGuests INTEGER NOT NULL DEFAULT 1,organizer STRING,deleted INTEGER NOT NULL DEFAULT 0,eventEndTimezone TEXT,sync_data1 TEXT);
CREATE TABLE Calendars (_id INTEGER PRIMARY KEY,account_name TEXT,account_type TEXT,_sync_id TEXT,dirty INTEGER,name TEXT,calendar_displayName TEXT,calendar_color INTEGER,calendar_access_level INTEGER,visible INTEGER NOT NULL DEFAULT 1,sync_events INTEGER NOT NULL DEFAULT 0,calendar_location TEXT,calendar_timezone TEXT,ownerAccount TEXT, canOrganizerRespond INTEGER NOT NULL DEFAULT 1,deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE Attendees (_id INTEGER PRIMARY KEY,event_id INTEGER,attendeeName TEXT,attendeeEmail TEXT,attendeeStatus INTEGER,attendeeRelationship INTEGER,attendeeType INTEGER);
INSERT INTO Calendars(_id,account_name,account_type,calendar_displayName,ownerAccount) VALUES(1,'a@example.com','com.google','Work','a@example.com');
INSERT INTO Events(_id,calendar_id,title,eventLocation,description,eventStatus,selfAttendeeStatus,dtstart,dtend,eventTimezone,organizer) VALUES
 (1,1,'Meet Kim','The flat','bring the key',1,1,1700000000000,1700003600000,'Europe/London','kim@example.com');
INSERT INTO Events(_id,calendar_id,title,dtstart,duration,eventTimezone,allDay,rrule,organizer,deleted) VALUES
 (2,1,'Bins',1700006400000,'P1D','UTC',1,'FREQ=WEEKLY','A@example.com',1),
 (3,1,'Class',1700000000000,'P5400S','Europe/London',0,'FREQ=DAILY;COUNT=3','a@example.com',0);
INSERT INTO Attendees(event_id,attendeeName,attendeeEmail) VALUES(1,'Kim Example','kim@example.com'),(1,'A. Person','a@example.com'),(1,'Lee Sample',NULL);
)";

TEST(AndroidCalendar, GivesEntriesWithoutTheOwner) {
  const Outcome outcome = read_app("android_calendar", kAndroidCalendar,
                                   "/data/com.android.providers.calendar/databases/calendar.db");
  ASSERT_EQ(by_row(outcome, "event").size(), 3U);
  EXPECT_EQ(fields(outcome, "event", "Events 1",
                   {"account", "calendar", "title", "starts", "ends", "place", "notes"}),
            (Fields{"a@example.com", "Work", "Meet Kim", "1700000000000000", "1700003600000000", "The flat",
                    "bring the key"}));
  EXPECT_EQ(fields(outcome, "event", "Events 1", {"organiser", "participants", "status", "deleted"}),
            (Fields{"kim@example.com", R"(["kim@example.com","Lee Sample"])",
                    "the owner accepted; zone Europe/London", "0"}));
  EXPECT_EQ(fields(outcome, "event", "Events 2",
                   {"starts", "starts_local", "ends_local", "all_day", "organiser", "repeats", "deleted"}),
            (Fields{"NULL", "1700006400000000", "1700092800000000", "1", "NULL", "FREQ=WEEKLY", "1"}));
  EXPECT_EQ(fields(outcome, "event", "Events 3", {"starts", "ends", "repeats"}),
            (Fields{"1700000000000000", "1700005400000000", "FREQ=DAILY;COUNT=3"}));
}

TEST(AndroidCalendar, IsReadWithoutTheColumnsOfLaterYears) {
  const Outcome outcome = read_app("android_calendar", R"(
CREATE TABLE Calendars (_id INTEGER PRIMARY KEY,_sync_account TEXT,_sync_account_type TEXT,name TEXT,displayName TEXT);
CREATE TABLE Events (_id INTEGER PRIMARY KEY,calendar_id INTEGER NOT NULL,title TEXT,eventLocation TEXT,description TEXT,eventStatus INTEGER,dtstart INTEGER,dtend INTEGER,eventTimezone TEXT,duration TEXT,allDay INTEGER NOT NULL DEFAULT 0,rrule TEXT);
INSERT INTO Calendars VALUES(1,'a@example.com','com.google','a','Mine'); INSERT INTO Events(_id,calendar_id,title,dtstart,dtend,eventStatus) VALUES(1,1,'Old',1260000000000,1260003600000,2);
)",
                                   "/data/data/com.android.providers.calendar/databases/calendar.db");
  EXPECT_EQ(fields(outcome, "event", "Events 1", {"account", "calendar", "title", "starts", "status"}),
            (Fields{"a@example.com", "Mine", "Old", "1260000000000000", "cancelled"}));
}

TEST(SamsungNotes, GiveTheTextKeptForSearching) {
  const Outcome outcome = read_app("samsung_notes", R"(
CREATE TABLE `sdoc` (`accountType` TEXT, `accountName` TEXT DEFAULT '', `strippedContent` BLOB NOT NULL, `_id` INTEGER PRIMARY KEY AUTOINCREMENT, `UUID` TEXT NOT NULL, `isDeleted` INTEGER NOT NULL DEFAULT 0, `title` TEXT NOT NULL DEFAULT '', `recommendedTitle` TEXT NOT NULL DEFAULT '', `content` BLOB NOT NULL, `displayContent` BLOB NOT NULL, `createdAt` INTEGER NOT NULL, `lastModifiedAt` INTEGER NOT NULL, `categoryUUID` TEXT NOT NULL DEFAULT 'uncategorized:///', `filePath` TEXT NOT NULL, `isLock` INTEGER NOT NULL DEFAULT 0, `recycle_bin_time_moved` INTEGER NOT NULL DEFAULT 0, `lastOpenedAt` INTEGER NOT NULL DEFAULT 0);
CREATE TABLE `category_tree` (`UUID` TEXT NOT NULL, `parentUUID` TEXT, `isDeleted` INTEGER NOT NULL DEFAULT 0, `displayName` TEXT NOT NULL, PRIMARY KEY(`UUID`));
INSERT INTO category_tree VALUES('c-1',NULL,0,'Plans');
INSERT INTO sdoc(_id,UUID,title,strippedContent,content,displayContent,createdAt,lastModifiedAt,categoryUUID,filePath,isLock,recycle_bin_time_moved) VALUES
 (1,'u-1','Shopping',CAST('rope, tape' AS BLOB),'','',1700000000000,1700000060000,'c-1','',0,0),
 (2,'u-2','Wide',x'72006f00700065000000','','',1700000000000,1700000060000,'','',0,0),
 (3,'u-3','Diary','','','',1700000000000,1700000060000,'','',1,1700000070000);
)",
                                   "/data/data/com.samsung.android.app.notes/databases/sdoc.db");
  const std::vector<std::string> names = {"folder", "title",   "body",  "created",
                                          "locked", "deleted", "status"};
  EXPECT_EQ(fields(outcome, "note", "sdoc 1", names),
            (Fields{"Plans", "Shopping", "rope, tape", "1700000000000000", "0", "0", "NULL"}));
  EXPECT_EQ(fields(outcome, "note", "sdoc 2", {"body"}), (Fields{"rope"}));
  EXPECT_EQ(fields(outcome, "note", "sdoc 3", names),
            (Fields{"NULL", "Diary", "NULL", "1700000000000000", "1", "1",
                    "locked; in the recycle bin since 2023-11-14T22:14:30Z"}));
}

TEST(Voicemail, OfAniPhoneIsAMessageWithItsRecording) {
  const Outcome outcome = read_app("ios_phone", R"(
CREATE TABLE voicemail (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, remote_uid INTEGER, date INTEGER, token TEXT, sender TEXT, callback_num TEXT, duration INTEGER, expiration INTEGER, trashed_date INTEGER, flags INTEGER, receiver TEXT, label TEXT);
INSERT INTO voicemail(ROWID,date,sender,callback_num,duration,trashed_date,flags,receiver) VALUES
 (1,1700000000,'+447700900101','+447700900101',23,0,3,'+447700900199'),(2,1700000100,NULL,NULL,0,721692900,11,NULL);
)",
                                   "/private/var/mobile/Library/Voicemail/voicemail.db");
  EXPECT_EQ(
      fields(outcome, "message", "voicemail 1",
             {"account", "conversation", "received", "direction", "sender", "body", "status", "deleted"}),
      (Fields{"+447700900199", "+447700900101", "1700000000000000", "in", "+447700900101", "-",
              "voicemail, 23 s; flags 3", "0"}));
  EXPECT_EQ(fields(outcome, "message", "voicemail 2", {"sender", "status", "deleted"}),
            (Fields{"NULL", "voicemail; deleted 2023-11-14T22:15:00Z; flags 11", "1"}));
  EXPECT_EQ(fields(outcome, "attachment", "voicemail 1", {"path", "name", "media_type"}),
            (Fields{"Voicemail/1.amr", "1.amr", "audio/amr"}));
}

TEST(Voicemail, OfAndroidIsAMessageWithItsTranscript) {
  const Outcome outcome = read_app("android_phone", R"(
CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT,number TEXT,date INTEGER,duration INTEGER,type INTEGER,new INTEGER,name TEXT,voicemail_uri TEXT,is_read INTEGER,_data TEXT,has_content INTEGER,mime_type TEXT,transcription TEXT,deleted INTEGER NOT NULL DEFAULT 0);
INSERT INTO calls(_id,number,date,duration,type,name,is_read,_data,mime_type,transcription) VALUES
 (1,'+447700900101',1700000000000,17,4,'Kim',0,'/data/data/com.android.providers.contacts/files/voicemail-1.amr','audio/amr','call me back'),
 (2,'+447700900101',1700000100000,17,1,NULL,1,NULL,NULL,NULL);
)",
                                   "/data/data/com.android.providers.contacts/databases/calllog.db");
  EXPECT_EQ(by_row(outcome, "call").size(), 1U);
  EXPECT_EQ(
      fields(outcome, "message", "calls 1", {"received", "direction", "sender", "body", "status"}),
      (Fields{"1700000000000000", "in", "+447700900101", "call me back", "voicemail, 17 s; not heard; Kim"}));
  EXPECT_EQ(fields(outcome, "attachment", "calls 1", {"name", "media_type"}),
            (Fields{"voicemail-1.amr", "audio/amr"}));
}

}  // namespace
}  // namespace touchstone::test

-- wa.db of WhatsApp: wa_contacts as of October 2023.
PRAGMA page_size = 4096;
CREATE TABLE android_metadata (locale TEXT);
INSERT INTO android_metadata VALUES ('en_GB');
CREATE TABLE wa_contacts(_id INTEGER PRIMARY KEY AUTOINCREMENT,jid TEXT NOT NULL,is_whatsapp_user BOOLEAN NOT NULL,status TEXT,status_timestamp INTEGER,number TEXT,raw_contact_id INTEGER,display_name TEXT,phone_type INTEGER,phone_label TEXT,unseen_msg_count INTEGER,photo_ts INTEGER,thumb_ts INTEGER,photo_id_timestamp INTEGER,given_name TEXT,family_name TEXT,wa_name TEXT,sort_name TEXT,nickname TEXT,company TEXT,title TEXT,status_autodownload_disabled INTEGER,keep_timestamp INTEGER,is_spam_reported INTEGER,is_sidelist_synced BOOLEAN DEFAULT 0,is_business_synced BOOLEAN DEFAULT 0,disappearing_mode_duration INTEGER,disappearing_mode_timestamp LONG,history_sync_initial_phash TEXT, is_starred BOOLEAN);
INSERT INTO wa_contacts (jid, is_whatsapp_user, status, number, display_name, given_name, wa_name, sort_name)
  SELECT jid, 1, status, number, display_name, display_name, wa_name, display_name
  FROM story.contacts ORDER BY number;
INSERT INTO wa_contacts (jid, is_whatsapp_user, wa_name) VALUES ('120363000000000042@g.us', 0, NULL);

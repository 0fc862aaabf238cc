-- mmssms.db of Android's telephony provider: tables as in an AOSP template of 2017 (SDK 25), indexes and triggers
-- left out. The rows come from messages.tsv, loaded as story.messages before this file is read.
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = 1;
PRAGMA secure_delete = 0;
CREATE TABLE android_metadata (locale TEXT);
INSERT INTO android_metadata VALUES ('en_GB');
CREATE TABLE pdu (_id INTEGER PRIMARY KEY AUTOINCREMENT,thread_id INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,msg_box INTEGER,read INTEGER DEFAULT 0,m_id TEXT,sub TEXT,sub_cs INTEGER,ct_t TEXT,ct_l TEXT,exp INTEGER,m_cls TEXT,m_type INTEGER,v INTEGER,m_size INTEGER,pri INTEGER,rr INTEGER,rpt_a INTEGER,resp_st INTEGER,st INTEGER,tr_id TEXT,retr_st INTEGER,retr_txt TEXT,retr_txt_cs INTEGER,read_status INTEGER,ct_cls INTEGER,resp_txt TEXT,d_tm INTEGER,d_rpt INTEGER,locked INTEGER DEFAULT 0,sub_id INTEGER DEFAULT -1, phone_id INTEGER DEFAULT -1, seen INTEGER DEFAULT 0,creator TEXT,text_only INTEGER DEFAULT 0);
CREATE TABLE addr (_id INTEGER PRIMARY KEY,msg_id INTEGER,contact_id INTEGER,address TEXT,type INTEGER,charset INTEGER);
CREATE TABLE part (_id INTEGER PRIMARY KEY AUTOINCREMENT,mid INTEGER,seq INTEGER DEFAULT 0,ct TEXT,name TEXT,chset INTEGER,cd TEXT,fn TEXT,cid TEXT,cl TEXT,ctt_s INTEGER,ctt_t TEXT,_data TEXT,text TEXT);
CREATE TABLE sms (_id INTEGER PRIMARY KEY,thread_id INTEGER,address TEXT,person INTEGER,date INTEGER,date_sent INTEGER DEFAULT 0,protocol INTEGER,read INTEGER DEFAULT 0,status INTEGER DEFAULT -1,type INTEGER,reply_path_present INTEGER,subject TEXT,body TEXT,service_center TEXT,locked INTEGER DEFAULT 0,sub_id INTEGER DEFAULT -1, phone_id INTEGER DEFAULT -1, error_code INTEGER DEFAULT 0,creator TEXT,seen INTEGER DEFAULT 0,priority INTEGER DEFAULT -1);
CREATE TABLE canonical_addresses (_id INTEGER PRIMARY KEY AUTOINCREMENT,address TEXT);
CREATE TABLE threads (_id INTEGER PRIMARY KEY AUTOINCREMENT,date INTEGER DEFAULT 0,message_count INTEGER DEFAULT 0,recipient_ids TEXT,snippet TEXT,snippet_cs INTEGER DEFAULT 0,read INTEGER DEFAULT 1,type INTEGER DEFAULT 0,error INTEGER DEFAULT 0,has_attachment INTEGER DEFAULT 0);
CREATE VIRTUAL TABLE words USING FTS3 (_id INTEGER PRIMARY KEY, index_text TEXT, source_id INTEGER, table_to_use INTEGER);

INSERT INTO canonical_addresses (address)
  SELECT conversation FROM story.messages WHERE source IN ('sms', 'mms') GROUP BY conversation ORDER BY min(time);
INSERT INTO threads (_id, date, message_count, recipient_ids, snippet, has_attachment)
  SELECT a._id, max(strftime('%s', m.time)) * 1000, count(*), a._id, m.body, max(m.attachment <> '')
  FROM canonical_addresses a JOIN story.messages m ON m.conversation = a.address AND m.source IN ('sms', 'mms')
  GROUP BY a._id ORDER BY a._id;

-- type: 1 inbox, 2 sent, 3 draft, 5 failed. date and date_sent in milliseconds.
INSERT INTO sms (_id, thread_id, address, date, date_sent, protocol, read, type, body, service_center, seen, creator)
  SELECT "row", a._id, a.address, strftime('%s', time) * 1000,
         CASE direction WHEN 'in' THEN strftime('%s', time) * 1000 - 2000 ELSE 0 END,
         CASE direction WHEN 'in' THEN 0 END, 1,
         CASE status WHEN 'received' THEN 1 WHEN 'sent' THEN 2 WHEN 'draft' THEN 3 WHEN 'failed' THEN 5 END,
         body, CASE direction WHEN 'in' THEN '+447700900999' END, 1, 'com.android.messaging'
  FROM story.messages m JOIN canonical_addresses a ON a.address = m.conversation
  WHERE source = 'sms' ORDER BY CAST("row" AS INTEGER);

-- date in seconds. m_type: 128 a message sent, 132 one received. msg_box as sms.type.
INSERT INTO pdu (_id, thread_id, date, msg_box, read, ct_t, m_cls, m_type, v, m_id, tr_id, seen, creator, text_only)
  SELECT "row", a._id, CAST(strftime('%s', time) AS INTEGER), CASE direction WHEN 'in' THEN 1 ELSE 2 END, 1,
         'application/vnd.wap.multipart.related', 'personal', CASE direction WHEN 'in' THEN 132 ELSE 128 END, 18,
         'sample-' || "row", 'T' || "row", 1, 'com.android.messaging', attachment = ''
  FROM story.messages m JOIN canonical_addresses a ON a.address = m.conversation
  WHERE source = 'mms' ORDER BY CAST("row" AS INTEGER);
-- type: 137 from, 151 to. The owner of the phone is this placeholder when he sends. charset 106 is UTF-8.
INSERT INTO addr (msg_id, address, type, charset)
  SELECT "row", CASE direction WHEN 'in' THEN sender ELSE 'insert-address-token' END, 137, 106
  FROM story.messages WHERE source = 'mms' ORDER BY CAST("row" AS INTEGER);
INSERT INTO addr (msg_id, address, type, charset)
  SELECT "row", recipients, 151, 106 FROM story.messages WHERE source = 'mms' ORDER BY CAST("row" AS INTEGER);
INSERT INTO part (mid, seq, ct, cid, cl, text)
  SELECT "row", -1, 'application/smil', '<smil>', 'smil.xml',
         '<smil><head><layout/></head><body><par dur="5000ms"><text src="text.txt"/></par></body></smil>'
  FROM story.messages WHERE source = 'mms' ORDER BY CAST("row" AS INTEGER);
INSERT INTO part (mid, seq, ct, chset, cid, cl, text)
  SELECT "row", 0, 'text/plain', 106, '<text>', 'text.txt', body
  FROM story.messages WHERE source = 'mms' ORDER BY CAST("row" AS INTEGER);
INSERT INTO part (mid, seq, ct, name, cid, cl, _data)
  SELECT "row", 1, 'image/jpeg', 'scene.jpg', '<scene>', 'scene.jpg',
         '/data/user/0/com.android.providers.telephony/app_parts/' || attachment
  FROM story.messages WHERE source = 'mms' AND attachment <> '' ORDER BY CAST("row" AS INTEGER);

INSERT INTO words (_id, index_text, source_id, table_to_use) SELECT _id, body, _id, 1 FROM sms ORDER BY _id;
-- The row goes, its bytes stay in the page: what recovery of deleted rows should find.
DELETE FROM words WHERE table_to_use = 1 AND source_id IN
  (SELECT "row" FROM story.messages WHERE source = 'sms' AND flags = 'row_deleted');
DELETE FROM sms WHERE _id IN (SELECT "row" FROM story.messages WHERE source = 'sms' AND flags = 'row_deleted');
PRAGMA user_version = 66;

-- The WhatsApp messages of one phase: those of `db` go into the database itself, those of `wal` stay in its -wal.
-- story.phase has the phase's name, story.media what is known of the media files.
INSERT INTO message (_id, chat_row_id, from_me, key_id, sender_jid_row_id, status, broadcast, recipient_count, origin,
                     timestamp, received_timestamp, receipt_server_timestamp, message_type, text_data, starred, sort_id,
                     message_add_on_flags, lookup_tables, origination_flags)
  SELECT m."row", c._id, m.direction = 'out', printf('3EB0%012X', m."row" * 7919),
         CASE WHEN m.direction = 'in' AND j.type = 1
              THEN (SELECT _id FROM jid WHERE '+' || user = m.sender AND type = 0) ELSE 0 END,
         CASE m.direction WHEN 'out' THEN 13 ELSE 0 END, 0, CASE j.type WHEN 1 THEN 2 ELSE 0 END, 0,
         strftime('%s', m.time) * 1000, CASE m.direction WHEN 'in' THEN strftime('%s', m.time) * 1000 + 800 ELSE 0 END,
         CASE m.direction WHEN 'out' THEN strftime('%s', m.time) * 1000 + 500 ELSE -1 END,
         CASE m.kind WHEN 'text' THEN 0 WHEN 'image' THEN 1 WHEN 'location' THEN 5 WHEN 'revoked' THEN 15 END,
         CASE m.body WHEN '' THEN NULL ELSE m.body END, 0, m."row", 0, 0, 0
  FROM story.messages m JOIN jid j ON j.raw_string = m.conversation JOIN chat c ON c.jid_row_id = j._id
  WHERE m.source = 'whatsapp' AND m.phase = (SELECT name FROM story.phase) ORDER BY CAST(m."row" AS INTEGER);
INSERT INTO message_media (message_row_id, chat_row_id, autotransfer_retry_enabled, transferred, transcoded, file_path,
                           file_size, suspicious_content, width, height, mime_type, file_length, file_hash,
                           media_caption)
  SELECT g._id, g.chat_row_id, 0, 1, 1, 'Media/WhatsApp Images/Sent/' || d.name, d.size, 0, d.width, d.height,
         'image/jpeg', d.size, d.sha256_base64, m.body
  FROM story.messages m JOIN message g ON g._id = m."row" JOIN story.media d ON d.name = m.attachment
  WHERE m.source = 'whatsapp' AND m.kind = 'image' AND m.phase = (SELECT name FROM story.phase)
  ORDER BY g._id;
INSERT INTO message_location (message_row_id, chat_row_id, latitude, longitude, place_name)
  SELECT g._id, g.chat_row_id, 50.905, -1.404, 'The flat'
  FROM story.messages m JOIN message g ON g._id = m."row"
  WHERE m.source = 'whatsapp' AND m.kind = 'location' AND m.phase = (SELECT name FROM story.phase);
INSERT INTO message_revoked (message_row_id, revoked_key_id, revoke_timestamp)
  SELECT g._id, g.key_id || 'OLD', g.timestamp + 60000
  FROM story.messages m JOIN message g ON g._id = m."row"
  WHERE m.source = 'whatsapp' AND m.kind = 'revoked' AND m.phase = (SELECT name FROM story.phase);
INSERT INTO message_edit_info (message_row_id, original_key_id, edited_timestamp, sender_timestamp)
  SELECT g._id, g.key_id || 'OLD', g.timestamp + 90000, g.timestamp + 90000
  FROM story.messages m JOIN message g ON g._id = m."row"
  WHERE m.source = 'whatsapp' AND m.flags = 'edited' AND m.phase = (SELECT name FROM story.phase);
INSERT INTO message_quoted (message_row_id, chat_row_id, parent_message_chat_row_id, from_me, sender_jid_row_id, key_id,
                            timestamp, message_type, origin, text_data, lookup_tables)
  SELECT g._id, g.chat_row_id, p.chat_row_id, p.from_me, p.sender_jid_row_id, p.key_id, p.timestamp, 0, 0, q.text, 0
  FROM story.quotes q JOIN message g ON g._id = q."row" JOIN message p ON p._id = q.quoted_row
  WHERE g._id IN (SELECT "row" FROM story.messages WHERE source = 'whatsapp' AND phase = (SELECT name FROM story.phase))
  ORDER BY g._id;
UPDATE chat SET last_message_row_id = (SELECT max(_id) FROM message WHERE chat_row_id = chat._id),
                display_message_row_id = (SELECT max(_id) FROM message WHERE chat_row_id = chat._id),
                last_message_sort_id = (SELECT max(sort_id) FROM message WHERE chat_row_id = chat._id),
                sort_timestamp = (SELECT max(timestamp) FROM message WHERE chat_row_id = chat._id);

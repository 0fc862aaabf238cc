-- What a case database must have of the sample images: every row printed is something that is wrong.
-- story: the expected results (sample_images/expected); main: case.db. The shell fills story.exhibit.
CREATE TEMP VIEW place AS
  SELECT e.*, x.ref || ':' || e.volume || e.path AS prefix FROM story.items e JOIN story.exhibit x ON x.image = e.image;
CREATE TEMP TABLE found AS SELECT p.prefix, i.* FROM place p JOIN item i
  ON i.locator = p.prefix OR substr(i.locator, 1, length(p.prefix) + 1) = p.prefix || ';'
  WHERE i.kind <> 'member' AND instr(substr(i.locator, length(p.prefix) + 1), '!') = 0;
CREATE TEMP TABLE source AS
  SELECT DISTINCT m.path, f.id AS item_id FROM story.messages m
  JOIN found f ON f.prefix = (SELECT ref FROM story.exhibit WHERE image = m.image) || ':p0' || m.path;
-- Last ten digits: how a number is written (+44, 44…@s.whatsapp.net) is the app definition's affair.
CREATE TEMP VIEW said AS SELECT s.path, m.* FROM message m JOIN source s ON s.item_id = m.item_id
  WHERE coalesce(m.recovered, 0) = 0;

SELECT 'item missing: ' || prefix FROM place WHERE prefix NOT IN (SELECT prefix FROM found);
SELECT 'item twice: ' || prefix FROM found GROUP BY prefix HAVING count(*) > 1;
SELECT 'item differs: ' || f.locator || ': ' ||
       iif(f.kind <> p.kind, 'kind ' || f.kind || ' ', '') || iif(f.allocated <> p.allocated, 'allocated ', '') ||
       iif(p.kind = 'file' AND f.size <> p.size, 'size ' || f.size || ' ', '') ||
       iif(p.kind = 'file' AND coalesce(f.sha256, '') <> p.sha256, 'sha256 ', '')
  FROM found f JOIN place p USING (prefix)
  WHERE f.kind <> p.kind OR f.allocated <> p.allocated OR (p.kind = 'file' AND (f.size <> p.size OR coalesce(f.sha256, '') <> p.sha256));
-- FAT times are local without a zone: British summer time by the case file, and said to be assumed.
SELECT 'time of change differs: ' || f.locator || ': ' || coalesce(f.modified, 'none') || ' ' || coalesce(f.time_basis, '')
  FROM found f JOIN place p USING (prefix)
  WHERE p.modified <> '' AND (f.modified IS NOT
      (strftime('%s', rtrim(p.modified, 'Z')) - iif(p.modified LIKE '%Z', 0, 3600)) * 1000000
      OR (p.modified NOT LIKE '%Z' AND f.time_basis IS NOT 'assumed'));
SELECT 'file that was not put there: ' || i.locator FROM item i
  WHERE i.kind = 'file' AND i.allocated = 1 AND i.id NOT IN (SELECT id FROM found) AND instr(i.locator, '/$') = 0
    AND instr(i.locator, '!') = 0;
SELECT 'two items share a locator: ' || locator FROM item GROUP BY locator HAVING count(*) > 1;
SELECT 'item left pending: ' || locator FROM item WHERE state = 'pending';

SELECT 'member missing or different: ' || e.container || e.member FROM story.members e JOIN story.exhibit x ON x.image = e.image
  WHERE NOT EXISTS (SELECT 1 FROM item i WHERE substr(i.locator, 1, length(x.ref || ':' || e.container || ';')) = x.ref || ':' || e.container || ';'
    AND substr(i.locator, -length(e.member)) = e.member AND i.sha256 = e.sha256 AND i.size = e.size AND i.kind = 'member');

SELECT 'message missing: ' || e."table" || ' ' || e."row" FROM story.messages e
  WHERE NOT EXISTS (SELECT 1 FROM said m WHERE m.path = e.path AND m.source_table = e."table" AND m.source_row = e."row");
SELECT 'message twice: ' || source_table || ' ' || source_row FROM said GROUP BY path, source_table, source_row HAVING count(*) > 1;
-- An SMS that came in has its time as that of receipt, a WhatsApp message as that of sending.
SELECT 'message differs: ' || e."table" || ' ' || e."row" || ': ' ||
       iif(strftime('%s', e.time) * 1000000 NOT IN (coalesce(m.sent, 0), coalesce(m.received, 0)),
           'time ' || coalesce(m.sent, 'none') || '/' || coalesce(m.received, 'none') || ' ', '') ||
       iif(m.direction IS NOT e.direction, 'direction ' || coalesce(m.direction, 'none') || ' ', '') ||
       iif(e.kind IN ('text', 'mms') AND m.body IS NOT e.body, 'body ', '') ||
       iif(e.direction = 'in' AND instr(coalesce(m.sender, ''), substr(e.sender, -10)) = 0, 'sender ' || coalesce(m.sender, 'none') || ' ', '') ||
       iif(e.direction = 'out' AND e.recipients NOT LIKE '%;%' AND instr(coalesce(m.recipients, ''), substr(e.recipients, -10)) = 0,
           'recipients ' || coalesce(m.recipients, 'none') || ' ', '') ||
       iif(coalesce(m.deleted, 0) <> (e.flags = 'revoked'), 'deleted ', '') || iif(coalesce(m.edited, 0) <> (e.flags = 'edited'), 'edited ', '')
  FROM story.messages e JOIN said m ON m.path = e.path AND m.source_table = e."table" AND m.source_row = e."row"
  WHERE strftime('%s', e.time) * 1000000 NOT IN (coalesce(m.sent, 0), coalesce(m.received, 0)) OR m.direction IS NOT e.direction
    OR (e.kind IN ('text', 'mms') AND m.body IS NOT e.body)
    OR (e.direction = 'in' AND instr(coalesce(m.sender, ''), substr(e.sender, -10)) = 0)
    OR (e.direction = 'out' AND e.recipients NOT LIKE '%;%' AND instr(coalesce(m.recipients, ''), substr(e.recipients, -10)) = 0)
    OR coalesce(m.deleted, 0) <> (e.flags = 'revoked') OR coalesce(m.edited, 0) <> (e.flags = 'edited');
SELECT 'attachment missing or wrongly found: ' || e.attachment FROM story.messages e
  JOIN said m ON m.path = e.path AND m.source_table = e."table" AND m.source_row = e."row"
  WHERE e.attachment <> '' AND NOT EXISTS (SELECT 1 FROM attachment a LEFT JOIN item i ON i.id = a.item_id
    WHERE a.message_key = m.key AND a.found = e.attachment_found
      AND (instr(coalesce(a.path, '') || ' ' || coalesce(a.name, ''), e.attachment) > 0)
      AND (e.attachment_found = '0' OR instr(i.locator, e.attachment) > 0));

SELECT 'call missing or different: ' || e."row" FROM story.calls e
  WHERE NOT EXISTS (SELECT 1 FROM call c WHERE c.source_row = e."row" AND c.started = strftime('%s', e.time) * 1000000
    AND c.direction = e.direction AND instr(c.party, substr(e.party, -10)) > 0
    AND coalesce(c.duration_s, 0) = CAST(e.duration_s AS INTEGER));

SELECT 'picture missing or different: ' || e.path FROM story.pictures e JOIN story.exhibit x ON x.image = e.image
  WHERE NOT EXISTS (SELECT 1 FROM picture p JOIN found f ON f.id = p.item_id
    WHERE f.prefix = x.ref || ':' || e.volume || e.path AND p.width = e.width AND p.height = e.height
      AND iif(e.taken = '', p.taken IS NULL, p.taken = strftime('%s', e.taken) * 1000000)
      AND iif(e.camera = '', 1, instr(coalesce(p.camera, ''), 'Phone 1') > 0)
      AND iif(e.latitude = '', p.latitude IS NULL, abs(p.latitude - e.latitude) < 0.0001 AND abs(p.longitude - e.longitude) < 0.0001));

SELECT 'keyword not found in a message: ' || k.term || ' in ' || k."table" || ' ' || k."row" FROM story.keywords k
  WHERE k."table" <> '' AND NOT EXISTS (SELECT 1 FROM finding f JOIN said m ON m.key = f.record_key
    WHERE f.plugin = 'keywords' AND f.rule = k.term AND m.path = k.path AND m.source_table = k."table" AND m.source_row = k."row");
SELECT 'keyword not found in a file: ' || k.term || ' in ' || k.path FROM story.keywords k JOIN story.exhibit x ON x.image = k.image
  WHERE k."table" = '' AND NOT EXISTS (SELECT 1 FROM finding f JOIN item i ON i.id = f.item_id OR i.content_id = f.content_id
    WHERE f.plugin = 'keywords' AND f.rule = k.term
      AND (substr(i.locator, 1, length(x.ref || ':p0' || k.path || ';')) = x.ref || ':p0' || k.path || ';'
        OR (instr(k.path, '!') > 0 AND substr(i.locator, -length(substr(k.path, instr(k.path, '!')))) = substr(k.path, instr(k.path, '!')))));

SELECT 'the btrfs partition is not reported as unsupported: ' || coalesce((SELECT group_concat(slot || ' ' || coalesce(filesystem, '') || ' ' || state)
    FROM volume), 'no volumes')
  WHERE NOT EXISTS (SELECT 1 FROM volume v JOIN exhibit x ON x.id = v.exhibit_id
    WHERE x.ref = 'SMP/3' AND v.slot = 'p3' AND v.filesystem = 'btrfs' AND v.state = 'unsupported');
SELECT 'no leads' WHERE NOT EXISTS (SELECT 1 FROM lead WHERE lane = 'towards');

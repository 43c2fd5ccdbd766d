CREATE TABLE documents (id int PRIMARY KEY, doc longtext);
INSERT INTO documents VALUES (1, '["\\ud83d\\ude00"]'), (2, '["a\\ud83db"]'), (3, '["\\ude00\\ud83d"]'), (4, '["\\\\ud83d"]'),
  (5, '["\\ud83d\\ud83d\\ude00"]');

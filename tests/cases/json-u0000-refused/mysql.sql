CREATE TABLE documents (id int PRIMARY KEY, doc json);
INSERT INTO documents VALUES (1, '{"a": "fine"}'), (2, '{"a": "x\\u0000y"}'), (3, '["\\u0000"]'), (4, '{"a": "\\\\u0000 is text"}'),
  (5, '{"\\u0000": 1}');

CREATE TABLE documents (id int PRIMARY KEY, doc longtext);
INSERT INTO documents VALUES (1, '{"a": "fine"}'), (2, '{"a": "x\\u0000y"}'), (4, '{"a": "\\\\u0000 is text"}'), (5, '["\\\\\\u0000"]');

CREATE TABLE documents (id int PRIMARY KEY, doc json);
INSERT INTO documents VALUES (1, '{"b": 1, "a": 2,   "b": 3}'), (2, '1.0'), (3, NULL), (4, '"\\u00e9"');

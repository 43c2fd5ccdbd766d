CREATE TABLE settings (id int PRIMARY KEY, data longtext);
INSERT INTO settings VALUES (1, '{"a": 1}'), (2, ''), (3, NULL), (4, 'not json'), (5, '{"a": 1'), (6, '  [1, 2]  ');

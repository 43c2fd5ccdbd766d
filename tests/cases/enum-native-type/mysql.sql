CREATE TABLE jobs (id int PRIMARY KEY, state enum('zebra','apple','it''s','a,b','ünïcode') NOT NULL DEFAULT 'apple',
  other enum('x','y'));
INSERT INTO jobs VALUES (1, 'zebra', 'y'), (2, 'it''s', NULL), (3, 'a,b', 'x'), (4, 'ünïcode', 'x'), (5, 'apple', 'y');

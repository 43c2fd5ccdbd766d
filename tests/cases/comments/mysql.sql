CREATE TABLE notes (id int PRIMARY KEY COMMENT 'it''s the key', body text COMMENT 'back\\slash "quoted" é 中', plain int)
  COMMENT 'first line\nsecond; DROP TABLE notes --';
INSERT INTO notes VALUES (1, 'x', 1);

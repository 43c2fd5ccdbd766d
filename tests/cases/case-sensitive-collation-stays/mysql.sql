CREATE TABLE users (id int PRIMARY KEY, code varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  old varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs, raw varchar(20) CHARACTER SET binary, UNIQUE KEY by_code (code));
INSERT INTO users VALUES (1, 'abc', 'x', 'raw'), (2, 'ABC', 'X', 'RAW'), (3, 'äbc', NULL, NULL);

CREATE TABLE switches (id int PRIMARY KEY, lit bit(1) NOT NULL DEFAULT b'1', broken bit(1));
INSERT INTO switches VALUES (1, b'1', b'0'), (2, b'0', NULL), (3, 1, 1);

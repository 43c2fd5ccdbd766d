CREATE TABLE pages (id int PRIMARY KEY, url varchar(767) CHARACTER SET utf8mb4 NOT NULL, KEY by_url (url)) ROW_FORMAT=DYNAMIC;
INSERT INTO pages VALUES (1, 'short'), (2, CONCAT('x', REPEAT('😀', 766)));
CREATE TABLE notes (id int PRIMARY KEY, url varchar(767) CHARACTER SET utf8mb4 NOT NULL, KEY by_url (url)) ROW_FORMAT=DYNAMIC;
INSERT INTO notes VALUES (1, REPEAT('é', 767));

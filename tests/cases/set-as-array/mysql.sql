CREATE TABLE users (id int PRIMARY KEY, roles set('admin','editor','it''s','NULL','') NOT NULL DEFAULT '', tags set('x','y','{z}'));
INSERT INTO users VALUES (1, 'editor,admin', 'y,x'), (2, '', NULL), (3, 'NULL,it''s', '{z}'), (4, 'admin', '');

CREATE TABLE paths (id int PRIMARY KEY, kind enum('back\\slash','new\nline','it''s','C:\\\\','a,''b'), kinds set('x\\y','it''s'));
INSERT INTO paths VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 0), (5, 5, NULL), (6, NULL, NULL);

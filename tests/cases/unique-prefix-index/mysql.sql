CREATE TABLE pages (id int PRIMARY KEY, slug varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY by_slug (slug(5)));
INSERT INTO pages VALUES (1, 'abcdef'), (2, 'abcdf'), (3, NULL), (4, NULL), (5, 'Abcdef');

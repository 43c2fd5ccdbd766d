CREATE TABLE articles (id int PRIMARY KEY, body text, KEY by_body (body(20)));
INSERT INTO articles VALUES (1, REPEAT('long ', 2000)), (2, NULL), (3, '');
SET group_concat_max_len = 1000000;
INSERT INTO articles SELECT 4, GROUP_CONCAT(MD5(a.id + 3 * b.id + 9 * c.id + 27 * d.id + 81 * e.id)) FROM articles a, articles b, articles c, articles d, articles e;

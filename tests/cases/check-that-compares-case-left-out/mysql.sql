CREATE TABLE c (id int PRIMARY KEY, s varchar(9) COLLATE utf8mb4_general_ci, CONSTRAINT known CHECK (s IN ('a', 'b')));
INSERT INTO c VALUES (1, 'a'), (2, 'B'), (3, NULL);

CREATE TABLE t (id int PRIMARY KEY, v varchar(10), a timestamp NULL ON UPDATE CURRENT_TIMESTAMP, g int AS (id + 1) VIRTUAL);
INSERT INTO t (id, v) VALUES (1, 'x'), (2, 'y');

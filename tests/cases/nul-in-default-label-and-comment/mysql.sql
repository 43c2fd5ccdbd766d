CREATE TABLE t (id int PRIMARY KEY, b varchar(10) DEFAULT 'x\0', e enum('a\0','b') DEFAULT 'b', c varchar(5) COMMENT 'a\0b');
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, 'y', 'b', 'z');

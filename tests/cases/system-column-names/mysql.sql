CREATE TABLE t (id int PRIMARY KEY, ctid int, xmin varchar(5), KEY by_ctid (ctid));
INSERT INTO t VALUES (1, 2, 'a'), (2, NULL, NULL);

CREATE TABLE t (a varchar(10) PRIMARY KEY) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
CREATE TABLE k (id int PRIMARY KEY, a varchar(10), CONSTRAINT by_a FOREIGN KEY (a) REFERENCES t (a)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
INSERT INTO t VALUES ('x'), ('é'), ('same');
INSERT INTO k VALUES (1, 'X'), (2, 'E'), (3, 'same'), (4, NULL);

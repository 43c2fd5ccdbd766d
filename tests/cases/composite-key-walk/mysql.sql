CREATE TABLE digits (d int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE entries (tenant varchar(30) NOT NULL, number int NOT NULL, body varchar(200), PRIMARY KEY (tenant, number));
INSERT INTO entries SELECT ELT(a.d + 1, 'a', 'B', 'é', '''quoted''', '"', '\\', '%s', '', '中', 'z  z'), b.d * 100 + c.d * 10 + e.d - 500,
  REPEAT(MD5(b.d * 100 + c.d * 10 + e.d), 6) FROM digits a, digits b, digits c, digits e;

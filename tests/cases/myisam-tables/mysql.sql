CREATE TABLE logs (id int PRIMARY KEY, body text, KEY by_body (body(10))) ENGINE = MyISAM;
CREATE TABLE plain (n int, body varchar(20)) ENGINE = MyISAM;
INSERT INTO logs VALUES (1, 'one'), (2, NULL);
INSERT INTO plain VALUES (1, 'x'), (1, 'x'), (NULL, NULL);

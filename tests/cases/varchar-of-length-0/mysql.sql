CREATE TABLE odd (id int PRIMARY KEY, c char(0), v varchar(0), b binary(0), vb varbinary(0) NOT NULL);
INSERT INTO odd VALUES (1, '', '', '', ''), (2, NULL, NULL, NULL, '');

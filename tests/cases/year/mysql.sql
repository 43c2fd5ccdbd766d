CREATE TABLE wines (id int PRIMARY KEY, vintage year(4));
INSERT INTO wines VALUES (1, 1901), (2, 2155), (3, 0), (4, '69'), (5, '70'), (6, NULL);

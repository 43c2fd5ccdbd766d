CREATE TABLE prices (id int PRIMARY KEY, price decimal(10,4));
INSERT INTO prices VALUES (1, 1.2300), (2, 1.2312), (3, -7.9901), (4, NULL);

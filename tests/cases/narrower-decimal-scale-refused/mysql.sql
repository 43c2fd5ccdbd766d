CREATE TABLE prices (id int PRIMARY KEY, price decimal(10,4), big decimal(12,2));
INSERT INTO prices VALUES (1, 1.2300, 1), (2, 1.2345, 99999999.99), (3, -0.0001, 100000000.00), (4, NULL, NULL);

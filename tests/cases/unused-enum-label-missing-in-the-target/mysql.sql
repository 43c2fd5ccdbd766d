CREATE TABLE orders (id int PRIMARY KEY, state enum('open','paid','never used'));
INSERT INTO orders VALUES (1, 'open'), (2, 'paid'), (3, NULL);

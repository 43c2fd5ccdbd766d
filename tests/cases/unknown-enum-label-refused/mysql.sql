CREATE TABLE orders (id int PRIMARY KEY, state enum('open','paid','lost'));
INSERT INTO orders VALUES (1, 'open'), (2, 'lost'), (3, 'paid'), (4, 'lost'), (5, NULL);

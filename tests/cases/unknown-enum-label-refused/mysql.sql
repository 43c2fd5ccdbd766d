CREATE TABLE orders (id int PRIMARY KEY, state enum('open','paid','lost'), note varchar(10));
INSERT INTO orders VALUES (1, 'open', 'x'), (2, 'lost', 'y'), (3, 'paid', 'X'), (4, 'lost', NULL), (5, NULL, 'y');

CREATE TABLE order_lines (id int PRIMARY KEY, price decimal(10,2) NOT NULL, amount int NOT NULL);
INSERT INTO order_lines VALUES (1, 9.99, 3), (2, 0.01, 0);

CREATE TABLE order_lines (id int PRIMARY KEY, price numeric(10,2) NOT NULL, amount int NOT NULL,
  total numeric(12,2) GENERATED ALWAYS AS (price * amount) STORED);

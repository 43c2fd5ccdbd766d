CREATE TABLE order_lines (id int PRIMARY KEY, price decimal(10,2) NOT NULL, amount int NOT NULL,
  total decimal(12,2) AS (price * amount) STORED, label varchar(40) AS (CONCAT('#', id)) VIRTUAL,
  doc json, name varchar(20) AS (JSON_VALUE(doc, '$.name')) VIRTUAL, KEY by_total (total));
INSERT INTO order_lines (id, price, amount, doc) VALUES (1, 9.99, 3, '{"name": "é"}'), (2, 0.01, 0, NULL);

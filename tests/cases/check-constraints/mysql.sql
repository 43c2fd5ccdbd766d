CREATE TABLE stock (id int PRIMARY KEY, amount int CHECK (amount >= 0), low int, high int, code varchar(10),
  CONSTRAINT ordered CHECK (low < high), CONSTRAINT code_set CHECK (code IN ('a', 'it''s') OR code IS NULL));
INSERT INTO stock VALUES (1, 0, 1, 2, 'it''s'), (2, NULL, NULL, NULL, NULL);

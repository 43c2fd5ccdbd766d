CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN age AS smallint CHECK (VALUE >= 0);
CREATE DOMAIN money_amount AS numeric(12,2);
CREATE TYPE state AS ENUM ('a', 'b');
CREATE DOMAIN known_state AS state;
CREATE TABLE users (id int PRIMARY KEY, email email, age age, state known_state, amount money_amount);

CREATE TYPE order_state AS ENUM ('paid', 'extra', 'open');
CREATE TABLE orders (id int PRIMARY KEY, state order_state);

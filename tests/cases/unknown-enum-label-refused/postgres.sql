CREATE TYPE order_state AS ENUM ('paid', 'open');
CREATE TABLE orders (id int PRIMARY KEY, state order_state);

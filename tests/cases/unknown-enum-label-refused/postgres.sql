CREATE TYPE order_state AS ENUM ('paid', 'open');
CREATE TYPE order_note AS ENUM ('x', 'y');
CREATE TABLE orders (id int PRIMARY KEY, state order_state, note order_note);

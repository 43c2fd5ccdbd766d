CREATE TABLE users (
  id int PRIMARY KEY, name text, plan text NOT NULL DEFAULT 'free', made timestamptz NOT NULL DEFAULT now(), note text,
  number int GENERATED ALWAYS AS IDENTITY);

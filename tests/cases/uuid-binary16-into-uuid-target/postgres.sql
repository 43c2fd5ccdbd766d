CREATE TABLE tokens (id uuid PRIMARY KEY, other uuid);

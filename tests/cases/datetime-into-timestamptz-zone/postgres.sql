CREATE TABLE events (id int PRIMARY KEY, at timestamptz, seen timestamptz);

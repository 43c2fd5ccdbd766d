CREATE TABLE posts (id int PRIMARY KEY, rank int, at datetime, KEY newest (rank, at DESC), KEY plain (at));
INSERT INTO posts VALUES (1, 5, '2024-01-01'), (2, 5, '2024-01-02'), (3, NULL, NULL);

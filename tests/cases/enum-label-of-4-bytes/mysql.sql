# The server's own descriptions print such labels as '?'.
CREATE TABLE moods (id int PRIMARY KEY, mood enum('😀','ok 👍','plain') NOT NULL);
INSERT INTO moods VALUES (1, 1), (2, 2), (3, 3);

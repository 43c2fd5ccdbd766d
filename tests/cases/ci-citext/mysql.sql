CREATE TABLE users (id int PRIMARY KEY, email varchar(100) COLLATE utf8mb4_general_ci NOT NULL, bio text COLLATE utf8mb4_unicode_ci,
  token varchar(40) COLLATE utf8mb4_bin, UNIQUE KEY by_email (email));
INSERT INTO users VALUES (1, 'Anna@x.org', 'É', 'Ab'), (2, 'bob@x.org', NULL, NULL);

CREATE TABLE articles (id int PRIMARY KEY, title varchar(100), body text, FULLTEXT KEY search (title, body));
INSERT INTO articles VALUES (1, 'Moving', 'from here to there'), (2, NULL, NULL);

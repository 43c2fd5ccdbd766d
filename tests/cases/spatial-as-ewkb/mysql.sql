CREATE TABLE places (id int PRIMARY KEY, spot point, shape geometry, path linestring);
INSERT INTO places VALUES (1, GeomFromText('POINT(1 2)', 4326), GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))'), GeomFromText('LINESTRING(0 0, 1.5 -2.5)')),
  (2, NULL, NULL, NULL),
  (3, GeomFromText('POINT(-180 90)'), GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))', 3857), NULL),
  (4, GeomFromText('POINT(1e-300 1e300)', 4326), GeomFromText('MULTIPOINT(1 1, 2 2)', 4326), NULL);

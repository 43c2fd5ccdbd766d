CREATE TABLE visits (id uuid PRIMARY KEY, v6 inet6, v4 inet4);
INSERT INTO visits VALUES ('00112233-4455-6677-8899-aabbccddeeff', '2001:db8::ff00:42:8329', '192.0.2.1'),
  ('ffffffff-ffff-ffff-ffff-ffffffffffff', '::', '0.0.0.0'), ('00000000-0000-0000-0000-000000000001', '::ffff:192.0.2.128', '255.255.255.255'),
  ('00000000-0000-0000-0000-000000000002', NULL, NULL);

let begin = Instant::now();
let database = managed_daemons::PostgresDatabase::builder().init_dir("twenty").start()?;
let made = begin.elapsed();
let begin = Instant::now();
database.close()?;
print("shared", round, made, begin.elapsed());

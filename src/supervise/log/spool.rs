//! A log on disk, within a cap: its beginning and its end are kept, the middle of a very long one is not.
//!
//! The beginning is one file of half the cap; the end is two files of a quarter each that take turns. What was
//! written after the last saved [`Mark`] is cut off when a log is opened again, for its lines will come again.
//! Blocking: callers use `spawn_blocking`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How far a log was written; saved with the ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Bytes of the file with the beginning.
    head: u64,
    /// The file of the end that is being written; 0 while the beginning has room.
    part: u64,
    /// Bytes of that one.
    length: u64,
    /// Bytes of files of the end that are gone.
    gone: u64,
}

/// A log that is being written.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    cap: u64,
    mark: Mark,
    file: File,
}

impl Spool {
    /// Opens the log in this folder (made if there is none) to go on behind `mark`.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(folder: &Path, cap: u64, mark: Mark) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut mark = mark;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if part_of(&path).is_some_and(|part| part > mark.part) {
                std::fs::remove_file(&path)?;
            }
        }
        if mark.part == 0 && mark.head == 0 {
            // A folder of this name may be left from something else.
            let _ = std::fs::remove_file(head_file(folder));
        }
        let path = if mark.part == 0 { head_file(folder) } else { part_file(folder, mark.part) };
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let wanted = if mark.part == 0 { &mut mark.head } else { &mut mark.length };
        // Shorter than it was: somebody cleaned up. What is there stays.
        *wanted = (*wanted).min(file.metadata()?.len());
        file.set_len(*wanted)?;
        let mut spool = Self { folder: folder.to_owned(), cap: cap.max(4_096), mark, file };
        spool.file.seek(SeekFrom::End(0))?;
        Ok(spool)
    }

    /// Adds whole lines.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.line(line)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let full = match self.mark.part {
            0 => self.mark.head + length > self.cap / 2,
            _ => self.mark.length + length > self.cap / 4,
        };
        if full {
            self.next_part()?;
        }
        self.file.write_all(line)?;
        match self.mark.part {
            0 => self.mark.head += length,
            _ => self.mark.length += length,
        }
        Ok(())
    }

    fn next_part(&mut self) -> io::Result<()> {
        let oldest = self.mark.part.wrapping_sub(1);
        if self.mark.part >= 2 {
            let path = part_file(&self.folder, oldest);
            self.mark.gone += std::fs::metadata(&path).map_or(0, |file| file.len());
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.mark.part += 1;
        self.mark.length = 0;
        self.file = File::create(part_file(&self.folder, self.mark.part))?;
        Ok(())
    }

    /// How far it is written: everything up to here is with the system.
    #[must_use]
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Reads what is kept, apart from the writing.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { folder: self.folder.clone(), mark: self.mark.clone() }
    }
}

/// What is kept of a log, at one moment.
#[derive(Debug, Clone)]
pub struct Reader {
    folder: PathBuf,
    mark: Mark,
}

impl Reader {
    /// All that is kept, with a line that says what is missing.
    ///
    /// # Errors
    /// The disk's.
    pub fn whole(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        last_of(&head_file(&self.folder), self.mark.head, &mut out)?;
        if self.mark.gone > 0 {
            let gone = self.mark.gone;
            writeln!(
                out,
                "\n[… {gone} bytes left out here: of a log this long only the beginning and the end are kept …]\n"
            )?;
        }
        for part in self.mark.part.saturating_sub(1).max(1)..=self.mark.part {
            last_of(&part_file(&self.folder, part), u64::MAX, &mut out)?;
        }
        Ok(out)
    }

    /// The last bytes, from the beginning of a line on.
    ///
    /// # Errors
    /// The disk's.
    pub fn tail(&self, bytes: u64) -> io::Result<String> {
        let mut text = Vec::new();
        let current = match self.mark.part {
            0 => head_file(&self.folder),
            part => part_file(&self.folder, part),
        };
        let before = match self.mark.part {
            0 => None,
            1 => Some(head_file(&self.folder)),
            part => Some(part_file(&self.folder, part - 1)),
        };
        let length = std::fs::metadata(&current).map_or(0, |file| file.len());
        if length < bytes
            && let Some(before) = before
        {
            last_of(&before, bytes - length, &mut text)?;
        }
        last_of(&current, bytes, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn head_file(folder: &Path) -> PathBuf {
    folder.join("begin.log")
}

fn part_file(folder: &Path, part: u64) -> PathBuf {
    folder.join(format!("end-{part}.log"))
}

fn part_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("end-")?.strip_suffix(".log")?.parse().ok()
}

/// The last bytes of a file; without the line that would be cut in two.
fn last_of(path: &Path, bytes: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let length = file.metadata()?.len();
    let start = out.len();
    let from = length.saturating_sub(bytes);
    file.seek(SeekFrom::Start(from))?;
    BufReader::new(file).take(bytes).read_to_end(out)?;
    if from > 0
        && let Some(end) = out[start..].iter().position(|byte| *byte == b'\n')
    {
        out.drain(start..=start + end);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> u64 {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }

    #[test]
    fn a_short_log_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 10_000, Mark::default()).unwrap();
        spool.write(b"one\ntwo\n").unwrap();
        assert_eq!(String::from_utf8(spool.reader().whole().unwrap()).unwrap(), "one\ntwo\n");
        assert_eq!(spool.reader().tail(100).unwrap(), "one\ntwo\n");
        assert_eq!(spool.reader().tail(6).unwrap(), "two\n");
    }

    #[test]
    fn of_a_long_log_beginning_and_end_stay_and_the_gap_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 8_000, Mark::default()).unwrap();
        for number in 0..100_000 {
            spool.write(format!("line {number}\n").as_bytes()).unwrap();
            if number % 10_000 == 0 {
                assert!(written(folder.path()) <= 8_000, "{}", written(folder.path()));
            }
        }
        let whole = String::from_utf8(spool.reader().whole().unwrap()).unwrap();
        assert!(whole.starts_with("line 0\nline 1\n") && whole.ends_with("line 99998\nline 99999\n"));
        assert!(whole.contains(" bytes left out here"));
        assert!(spool.reader().tail(3_000).unwrap().len() > 2_000);
    }

    #[test]
    fn what_was_written_after_the_mark_is_cut_off() {
        for lines in [10, 500, 900, 2_000] {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::open(folder.path(), 8_000, Mark::default()).unwrap();
            for number in 0..lines {
                spool.write(format!("line {number}\n").as_bytes()).unwrap();
            }
            let mark = spool.mark().clone();
            for _ in 0..100 {
                spool.write(b"after the mark\n").unwrap();
            }
            let mut spool = Spool::open(folder.path(), 8_000, mark).unwrap();
            spool.write(b"again\n").unwrap();
            let whole = String::from_utf8(spool.reader().whole().unwrap()).unwrap();
            assert!(!whole.contains("after the mark"), "{lines}");
            assert!(whole.ends_with(&format!("line {}\nagain\n", lines - 1)), "{lines}: {whole}");
        }
    }

    #[test]
    fn a_folder_that_was_cleaned_up_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 8_000, Mark::default()).unwrap();
        for number in 0..2_000 {
            spool.write(format!("line {number}\n").as_bytes()).unwrap();
        }
        let mark = spool.mark().clone();
        std::fs::remove_dir_all(folder.path()).unwrap();
        let mut spool = Spool::open(folder.path(), 8_000, mark).unwrap();
        spool.write(b"on\n").unwrap();
        assert!(String::from_utf8(spool.reader().whole().unwrap()).unwrap().ends_with("on\n"));
    }
}

//! `--format parquet`: a table as a Parquet file, zstd, every column optional. Written in groups of rows, so that memory does
//! not grow with their number.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type as Field;

use super::Shown;
use super::table::{self, CLOSES, Cell, Columns, INCIDENTS, Type};

/// Rows in one group: readers skip whole groups, and one is held in memory.
const GROUP: usize = 16_384;

/// Writes a row for each close shown.
pub(super) fn closes(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let analysis = shown.analysis;
    let rows = shown.closes.iter().map(|&index| {
        let incident =
            shown.incident_of[index].map(|number| analysis.incidents[number].id.as_str());
        table::close(analysis, &analysis.closes.whole(index), incident)
    });
    write(CLOSES, rows, out)
}

/// Writes a row for each incident shown.
pub(super) fn incidents(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let analysis = shown.analysis;
    let numbers = shown.incidents.iter();
    let rows = numbers.map(|&number| table::incident(analysis, &analysis.incidents[number]));
    write(INCIDENTS, rows, out)
}

/// Writes `rows` to `out`; the same rows give the same bytes.
pub fn write(
    columns: &Columns,
    rows: impl Iterator<Item = Vec<Cell>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    file(columns, rows, out).map_err(|e| match e {
        ParquetError::External(e) => match e.downcast::<io::Error>() {
            Ok(e) => *e,
            Err(e) => io::Error::other(e),
        },
        e => io::Error::other(e.to_string()),
    })
}

/// What the writer has made and `out` has not got yet: the writer wants an owner that may move between threads.
#[derive(Clone, Default)]
struct Made(Arc<Mutex<Vec<u8>>>);

impl Made {
    fn drain(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&made)?;
        made.clear();
        Ok(())
    }
}

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn file(
    columns: &Columns,
    mut rows: impl Iterator<Item = Vec<Cell>>,
    out: &mut dyn Write,
) -> Result<(), ParquetError> {
    let fields = columns.iter().map(|&(name, kind)| field(name, kind));
    let schema = Field::group_type_builder("schema")
        .with_fields(fields.collect::<Result<_, _>>()?)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("natsleuth ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let made = Made::default();
    let mut writer =
        SerializedFileWriter::new(made.clone(), Arc::new(schema), Arc::new(properties))?;
    loop {
        let held: Vec<Vec<Cell>> = rows.by_ref().take(GROUP).collect();
        if held.is_empty() {
            break;
        }
        let mut group = writer.next_row_group()?;
        for (index, &(_, kind)) in columns.iter().enumerate() {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            let cells = held.iter().map(|row| row.get(index).unwrap_or(&Cell::Null));
            cells_to(&mut column, kind, cells)?;
            column.close()?;
        }
        group.close()?;
        made.drain(out)?;
    }
    writer.close()?;
    made.drain(out)?;
    Ok(())
}

fn field(name: &str, kind: Type) -> Result<Arc<Field>, ParquetError> {
    let (physical, logical) = match kind {
        Type::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Type::Int => (Physical::INT64, None),
        Type::Float => (Physical::DOUBLE, None),
        Type::Time => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
        ),
    };
    let field = Field::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(field))
}

/// Values without the nulls, and for every row whether there is a value (its definition level).
fn cells_to<'t>(
    column: &mut SerializedColumnWriter<'_>,
    kind: Type,
    cells: impl Iterator<Item = &'t Cell> + Clone,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = cells.clone().map(|c| i16::from(*c != Cell::Null)).collect();
    match kind {
        Type::Text => {
            let values: Vec<ByteArray> = cells
                .filter_map(|c| match c {
                    Cell::Text(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
                    _ => None,
                })
                .collect();
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&levels), None)?;
        }
        Type::Int | Type::Time => {
            let values: Vec<i64> = cells
                .filter_map(|c| match c {
                    Cell::Int(n) => Some(*n),
                    _ => None,
                })
                .collect();
            column
                .typed::<Int64Type>()
                .write_batch(&values, Some(&levels), None)?;
        }
        Type::Float => {
            let values: Vec<f64> = cells
                .filter_map(|c| match c {
                    Cell::Float(n) => Some(*n),
                    _ => None,
                })
                .collect();
            column
                .typed::<DoubleType>()
                .write_batch(&values, Some(&levels), None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field as Value;

    use super::*;
    use crate::report::{Format, RenderOptions, render, sample};

    #[test]
    fn what_was_written_is_read_back_nulls_included() {
        let columns = [
            ("name", Type::Text),
            ("count", Type::Int),
            ("seconds", Type::Float),
            ("at", Type::Time),
        ];
        let rows = [
            vec![
                Cell::Text("größe".to_owned()),
                Cell::Int(-3),
                Cell::Float(0.5),
                Cell::Int(1_795_411_255_250_000),
            ],
            vec![Cell::Null, Cell::Null, Cell::Null, Cell::Null],
            vec![
                Cell::Text(String::new()),
                Cell::Int(7),
                Cell::Null,
                Cell::Null,
            ],
        ];
        let mut bytes = Vec::new();
        write(&columns, rows.iter().cloned(), &mut bytes).unwrap();
        let mut again = Vec::new();
        write(&columns, rows.iter().cloned(), &mut again).unwrap();
        assert!(bytes == again);

        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let rows: Vec<Vec<Value>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| {
                row.unwrap()
                    .into_columns()
                    .into_iter()
                    .map(|(_, v)| v)
                    .collect()
            })
            .collect();
        assert_eq!(
            rows[0],
            [
                Value::Str("größe".to_owned()),
                Value::Long(-3),
                Value::Double(0.5),
                Value::TimestampMicros(1_795_411_255_250_000),
            ]
        );
        assert!(rows[1].iter().all(|v| *v == Value::Null));
        assert_eq!(
            rows[2],
            [
                Value::Str(String::new()),
                Value::Long(7),
                Value::Null,
                Value::Null
            ]
        );
    }

    #[test]
    fn more_rows_than_a_group_and_none() {
        let columns = [("number", Type::Int)];
        for count in [0, GROUP * 2 + 1] {
            let mut bytes = Vec::new();
            let rows = (0..count).map(|number| vec![Cell::Int(number as i64)]);
            write(&columns, rows, &mut bytes).unwrap();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            assert_eq!(reader.num_row_groups(), count.div_ceil(GROUP));
            assert_eq!(reader.get_row_iter(None).unwrap().count(), count);
        }
    }

    #[test]
    fn a_row_for_each_close_and_incident() {
        let analysis = sample::killed();
        for (format, rows, columns) in [
            (Format::Parquet, analysis.closes.len(), CLOSES),
            (
                Format::ParquetIncidents,
                analysis.incidents.len(),
                INCIDENTS,
            ),
        ] {
            let mut bytes = Vec::new();
            render(&analysis, format, &RenderOptions::default(), &mut bytes).unwrap();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let found: Vec<_> = reader
                .get_row_iter(None)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(found.len(), rows);
            assert_eq!(found[0].len(), columns.len());
        }
    }
}

//! A table as a Parquet file: one row group, zstd, every column optional.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type as Field;

use super::data::{Cell, Table, Type};

/// Writes `table` to `out`; the same table gives the same bytes.
pub fn write(table: &Table, out: &mut (dyn Write + Send)) -> io::Result<()> {
    file(table, out).map_err(|e| match e {
        ParquetError::External(e) => io::Error::other(e),
        e => io::Error::other(e.to_string()),
    })
}

fn file(table: &Table, out: &mut (dyn Write + Send)) -> Result<(), ParquetError> {
    let fields = table.columns.iter().map(|&(name, kind)| field(name, kind));
    let schema = Field::group_type_builder("schema")
        .with_fields(fields.collect::<Result<_, _>>()?)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("natsleuth ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (index, &(_, kind)) in table.columns.iter().enumerate() {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        let cells = table
            .rows
            .iter()
            .map(|row| row.get(index).unwrap_or(&Cell::Null));
        cells_to(&mut column, kind, cells)?;
        column.close()?;
    }
    group.close()?;
    writer.close()?;
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

    #[test]
    fn what_was_written_is_read_back_nulls_included() {
        let table = Table {
            columns: &[
                ("name", Type::Text),
                ("count", Type::Int),
                ("seconds", Type::Float),
                ("at", Type::Time),
            ],
            rows: vec![
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
            ],
        };
        let mut bytes = Vec::new();
        write(&table, &mut bytes).unwrap();
        let mut again = Vec::new();
        write(&table, &mut again).unwrap();
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
}

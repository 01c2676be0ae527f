//! Small ONNX graphs, put together node by node.

use prost::Message as _;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// The operators' version that the recipe writes.
const OPSET: i64 = 17;

/// A graph in the making.
#[derive(Default)]
pub struct Graph(GraphProto);

impl Graph {
    /// An input of these dimensions; a negative one is left open.
    pub fn input(&mut self, name: &str, shape: &[i64]) -> &mut Self {
        let dimension = |&size: &i64| Dimension {
            value: Some(match size {
                0.. => dimension::Value::DimValue(size),
                _ => dimension::Value::DimParam("T".to_owned()),
            }),
            ..Dimension::default()
        };
        let tensor = type_proto::Tensor {
            elem_type: DataType::Float as i32,
            shape: Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() }),
        };
        let value = Some(type_proto::Value::TensorType(tensor));
        let r#type = Some(TypeProto { value, ..TypeProto::default() });
        self.0.input.push(ValueInfoProto { name: name.to_owned(), r#type, ..Default::default() });
        self
    }

    pub fn output(&mut self, name: &str) -> &mut Self {
        self.0.output.push(ValueInfoProto { name: name.to_owned(), ..Default::default() });
        self
    }

    pub fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> &mut Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, dims, DataType::Float as i32, bytes)
    }

    pub fn integers(&mut self, name: &str, dims: &[i64], values: &[i64]) -> &mut Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, dims, DataType::Int64 as i32, bytes)
    }

    /// A weight of any type, whose bytes need not be as many as its dimensions say.
    pub fn tensor(&mut self, name: &str, dims: &[i64], kind: i32, bytes: Vec<u8>) -> &mut Self {
        self.0.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: kind,
            raw_data: bytes.into(),
            ..TensorProto::default()
        });
        self
    }

    /// A node with one output; attributes are integers.
    pub fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, &[i64])],
    ) -> &mut Self {
        let attribute = |(name, values): &(&str, &[i64])| {
            let mut attribute = AttributeProto { name: (*name).to_owned(), ..Default::default() };
            match values {
                [value] => {
                    attribute.i = *value;
                    attribute.r#type = attribute_proto::AttributeType::Int as i32;
                }
                values => {
                    attribute.ints = values.to_vec();
                    attribute.r#type = attribute_proto::AttributeType::Ints as i32;
                }
            }
            attribute
        };
        self.0.node.push(NodeProto {
            op_type: operator.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes.iter().map(attribute).collect(),
            ..NodeProto::default()
        });
        self
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let model = ModelProto {
            ir_version: 8,
            graph: Some(self.0.clone()),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }
}
